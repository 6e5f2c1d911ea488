import Crypto
import Interfaces
import NetBIOS
import SecureChannel
import Wire

/// What a computer joins a domain by.
package struct JoinTerms {
    package enum Way: Sendable {
        /// The SAM of an NT4-style primary controller, over SMB.
        case sam
        /// The directory of an AD controller, over LDAP.
        case directory
    }

    /// What becomes of a join: a member, or a backup controller.
    package enum Kind: Sendable {
        case member, backupController

        var accountControl: UInt32 { self == .member ? 0x80 : 0x100 }

        var words: String {
            self == .member ? "a computer's account" : "a backup controller's account"
        }
    }

    package var domain: NetBIOSName
    /// Our account there, with its final `$`.
    package var account: String
    package var kind: Kind
    package var way: Way
    package var administrator: SessionAccount
    /// Whether an account that exists already is taken over.
    package var resets: Bool
    package var directory: NameDirectory
    package var controllers: [IPv4Address] = []
    package var dnsName = ""
    /// How the channel is proved afterwards; nil where somebody else does that.
    package var channel: ChannelSettings?

    package init(
        domain: NetBIOSName, account: String, kind: Kind, way: Way,
        administrator: SessionAccount, resets: Bool, directory: NameDirectory
    ) {
        self.domain = domain
        self.account = account
        self.kind = kind
        self.way = way
        self.administrator = administrator
        self.resets = resets
        self.directory = directory
    }
}

/// Who keeps the new secret, in two phases, so that it is never at the controller alone.
package struct JoinKeeper {
    /// Before it is sent. False where that cannot be.
    package var keepPending: () -> Bool
    /// The controller has not taken it.
    package var drop: () -> Void
    /// This controller has taken it, and others may not have heard of it. False where that cannot
    /// be written down.
    package var promote: (IPv4Address) -> Bool

    package init(
        keepPending: @escaping () -> Bool, drop: @escaping () -> Void,
        promote: @escaping (IPv4Address) -> Bool
    ) {
        self.keepPending = keepPending
        self.drop = drop
        self.promote = promote
    }
}

/// A computer joins a domain: its account is made, or taken over, by an administrator's rights;
/// its secret is kept, set and proved.
package enum Join {
    /// Where the account is: what the two ways have in common.
    private enum Desk<Link: Exchange> {
        case sam(SAMDesk<Link>)
        case directory(DirectoryDesk<Link>)
    }

    /// Gives the controller that has the account.
    package static func run<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ terms: JoinTerms, password: Secret, keeper: JoinKeeper
    ) throws(FlowError) -> ControllerAddress {
        let desk: Desk<Link>
        let controller: ControllerAddress
        switch terms.way {
        case .sam:
            let sam = try SAMDesk.open(dialogue, terms)
            desk = .sam(sam)
            controller = sam.controller
        case .directory:
            let directory = try DirectoryDesk.open(dialogue, terms)
            desk = .directory(directory)
            controller = directory.controller
        }
        defer { end(desk) }
        try set(dialogue, desk, terms, password, keeper, controller)
        if let channel = terms.channel {
            try dialogue.proveChannel(
                channel, secrets: [MD4.hash(password.bytes)], at: [controller])
        }
        return controller
    }

    private static func end<Link: Exchange>(_ desk: Desk<Link>) {
        switch desk {
        case .sam(let sam): sam.end()
        case .directory(let directory): directory.end()
        }
    }

    private static func set<Link: Exchange>(
        _ dialogue: Dialogue<Link>, _ desk: Desk<Link>, _ terms: JoinTerms, _ password: Secret,
        _ keeper: JoinKeeper, _ controller: ControllerAddress
    ) throws(FlowError) {
        try dialogue.step("secret of \(terms.account)") { () throws(FlowError) -> (String, Void) in
            guard keeper.keepPending() else {
                undo(desk)
                throw dialogue.contradicted("the state cannot be written")
            }
            // Whoever does not answer may have it all the same: then both secrets stay.
            let refusal: FlowError?
            switch desk {
            case .sam(let sam): refusal = try sam.set(password)
            case .directory(let directory): refusal = try directory.set(password)
            }
            if let refusal {
                keeper.drop()
                undo(desk)
                throw refusal
            }
            guard keeper.promote(controller.address) else {
                throw dialogue.contradicted(
                    "the controller has the new secret, and the state, where it is kept as "
                        + "pending, cannot be written")
            }
            return ("set, and kept", ())
        }
    }

    /// An account that this join made is removed again.
    private static func undo<Link: Exchange>(_ desk: Desk<Link>) {
        if case .sam(let sam) = desk { sam.undo() }
    }
}
