"""How trades become one-second bars."""
