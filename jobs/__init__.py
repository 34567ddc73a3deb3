"""Work on certificates: asked for, agreed to, done."""
