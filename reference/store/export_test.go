package store

// OpenPools is how many databases of tenants are connected to at once.
const OpenPools = openPools
