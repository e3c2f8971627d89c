"""Pictures and videos as files: reading, writing, and the recipe that they carry."""
