"""Does building the symmetry into the encoder help?"""
