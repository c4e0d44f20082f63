"""Which quantity predicts how much a pretext task helps?"""
