"""From raw samples of each sensor to clean signals on one 100 Hz grid."""
