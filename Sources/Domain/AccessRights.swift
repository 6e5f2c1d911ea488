/// How one kind of object maps the generic rights that a client may ask for (MS-DTYP 2.4.3) to
/// its own.
package struct AccessRights {
    package var read: UInt32
    package var write: UInt32
    package var execute: UInt32
    package var all: UInt32

    package init(read: UInt32, write: UInt32, execute: UInt32, all: UInt32) {
        self.read = read
        self.write = write
        self.execute = execute
        self.all = all
    }

    private static let genericRead: UInt32 = 0x8000_0000
    private static let genericWrite: UInt32 = 0x4000_0000
    private static let genericExecute: UInt32 = 0x2000_0000
    private static let genericAll: UInt32 = 0x1000_0000
    private static let maximumAllowed: UInt32 = 0x0200_0000

    /// What of `desired` a caller is granted who is allowed `allowed`: all of it, or nil.
    package func granted(_ desired: UInt32, of allowed: UInt32) -> UInt32? {
        var asked = desired & 0x0fff_ffff & ~Self.maximumAllowed
        if desired & Self.genericRead != 0 { asked |= read }
        if desired & Self.genericWrite != 0 { asked |= write }
        if desired & Self.genericExecute != 0 { asked |= execute }
        if desired & Self.genericAll != 0 { asked |= all }
        guard asked & ~allowed == 0 else { return nil }
        return desired & Self.maximumAllowed != 0 ? allowed : asked
    }
}
