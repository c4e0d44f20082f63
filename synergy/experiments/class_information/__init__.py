"""What does a network lose that may not know the class?"""
