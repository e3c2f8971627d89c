"""The tests that `pixforge plugins new` writes beside them."""
