"""What travels: events, the topic table, and the codec that every member shares."""
