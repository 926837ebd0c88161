"""From aligned signals to gait sequences, contacts, strides, turns and walking bouts."""
