"""What must die: every lock, fence, permission, trigger, constraint and bound, one by one."""
