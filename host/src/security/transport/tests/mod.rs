mod calls;
mod guarding;
mod platform;
mod secure;
