"""The components that ship with pixforge; they use the same contracts and hooks as anyone."""
