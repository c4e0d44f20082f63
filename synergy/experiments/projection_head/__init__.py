"""The experiment projection-head: what is known before and after the head, layer by layer."""
