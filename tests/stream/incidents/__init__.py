"""Campaigns live, on real servers."""
