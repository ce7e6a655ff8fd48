"""What `loginward demo` is made of: folder, servers, children, traffic, view and reckoning."""
