"""The ways from noise to a picture, one step at a time."""
