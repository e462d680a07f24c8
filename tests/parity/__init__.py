"""The rules against PyTorch and Optax: recorded everywhere, live where they are."""
