"""Where results are kept: the time series (series.py says what), and the registry of people."""
