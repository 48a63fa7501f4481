"""One module or package for each exchange; its name is the exchange's."""
