# The stick image.
