"""Text made safe for people: what a student wrote is plain and short before it is shown."""
