"""How services run: lifecycle, settings, logs, health, sockets, HTTP and Kafka."""
