"""Does what shape must tell, I(A;X|U), order pretext tasks by their worth?"""
