"""Results for people: tables in a terminal, figures."""
