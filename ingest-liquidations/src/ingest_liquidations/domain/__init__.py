"""What everybody's liquidations say of one venue's."""
