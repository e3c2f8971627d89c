"""What runs have come to: contact sheets, and a page that stands alone."""
