"""From signals to the alerts of each chat."""
