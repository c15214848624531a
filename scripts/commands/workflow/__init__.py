"""Run one of the verbs that only workflows use.

They read the event that started the workflow, and act at GitHub with its token.
"""
