"""Thresholds that adapt, and the detectors that use them."""
