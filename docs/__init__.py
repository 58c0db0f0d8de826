"""The handbook; `generate` keeps the parts of it that the code knows best."""
