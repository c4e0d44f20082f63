"""Encoders and images of one's own: representing, further training, and the error of equivariance."""
