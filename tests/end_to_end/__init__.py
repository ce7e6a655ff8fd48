"""From a login to whoever acts on it: the checklist's items as one story each."""
