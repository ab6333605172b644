"""The session as a course: lessons, slides, exercises and checks."""
