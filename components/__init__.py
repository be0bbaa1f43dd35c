"""The pipeline's components: typed ports, and one call into `gemini_sft` each.

A component's source travels inside the compiled pipeline and runs in a container that holds this project, so it imports
what it calls inside its body and uses no name from its module.
"""
