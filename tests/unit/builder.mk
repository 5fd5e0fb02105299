# unit tests: see lib.mk for the pattern
