"""Fine-tunes the model that searched on the iterations it learned from. See README.md."""
