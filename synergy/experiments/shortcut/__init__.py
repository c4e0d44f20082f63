"""What a watermark does to what is learned."""
