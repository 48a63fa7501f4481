"""What every simulated venue has: contracts it lists, connections, faults, a ledger, a server."""
