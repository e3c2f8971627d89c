"""Find plugins, load them one by one, and register what they bring."""
