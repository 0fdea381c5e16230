"""Which models a service has: what each is for, where it comes from and how it is known again.

Nothing is loaded here, and nothing but the standard library is needed: the command line asks on
machines without torch, too.
"""
