"""The therapist's pages and the REST interface."""
