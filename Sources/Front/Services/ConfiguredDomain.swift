import Wire

/// A domain whose logons this host passes through: as far as accounts go, one that it trusts.
package struct ConfiguredDomain: Equatable, Sendable {
    /// The NetBIOS name, in capitals.
    package var name: String
    package var dnsName: String?
    /// Once it is known.
    package var sid: SID?
    /// The computer name of the controller that we speak to, where we do.
    package var controller: String?

    package init(
        name: String, dnsName: String? = nil, sid: SID? = nil, controller: String? = nil
    ) {
        self.name = name
        self.dnsName = dnsName
        self.sid = sid
        self.controller = controller
    }
}

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
