"""Arrays of values with their tangents: forward mode, by the rules that reverse mode has."""
