"""The tools: what each is called and asks for, and the hands that work with the mouse."""
