"""Part I: planning in a known model."""
