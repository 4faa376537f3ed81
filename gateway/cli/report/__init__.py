"""`marketgate portfolio report`: a file of prices, returns or transactions as one page of HTML.

Only this command imports the modules of this package that compute, and with them numpy.
"""
