import Locator

/// What the locator remembers. In this file the name is the locator's: `Store` has one like it.
typealias LocatorMemory = KnownControllers
