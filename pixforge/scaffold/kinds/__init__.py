"""The components that `pixforge plugins new` starts from: real ones, which our own tests check."""
