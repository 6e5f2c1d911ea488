/// What this host says of itself, whoever asks.
package struct ServedHost: Equatable, Sendable {
    package var computerName: String
    /// The domain's NetBIOS name.
    package var domainName: String
    package var comment: String
    /// Of Windows NT, as whose equal this host serves.
    package var versionMajor: UInt32
    package var versionMinor: UInt32
    /// SV_TYPE_… (MS-SRVS 2.2.2.7), as the announcements say it.
    package var serverType: UInt32

    package init(
        computerName: String, domainName: String, comment: String = "", versionMajor: UInt32 = 4,
        versionMinor: UInt32 = 0, serverType: UInt32
    ) {
        self.computerName = computerName
        self.domainName = domainName
        self.comment = comment
        self.versionMajor = versionMajor
        self.versionMinor = versionMinor
        self.serverType = serverType
    }
}
