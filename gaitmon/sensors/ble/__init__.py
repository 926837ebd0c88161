"""The radio side of the collector: bleak, and what must be right around it for sensors to stay on the air.

service.py puts it together; link.py is one sensor's life, adapter.py one radio's, scanner.py what it hears.
"""
