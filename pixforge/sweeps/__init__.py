"""Many runs of one recipe: which settings, where they are made, and what comes back."""
