"""The rows of the table of metrics, by group."""
