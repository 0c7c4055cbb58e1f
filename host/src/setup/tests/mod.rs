mod codes;
mod lifecycle;
mod machine;
mod renewal;
mod tokens;
