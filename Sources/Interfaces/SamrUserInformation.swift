import RPC
import Wire

/// SAMPR_ENCRYPTED_USER_PASSWORD (MS-SAMR 2.2.6.21): 512 bytes that end with the password in
/// UTF-16LE, then its length(4); all of it encrypted.
package typealias SamrEncryptedPassword = FixedBytes<516>

/// SAMPR_ENCRYPTED_USER_PASSWORD_NEW (MS-SAMR 2.2.6.22): the same under a key of its own, which
/// the 16 bytes of salt that follow make.
package typealias SamrSaltedPassword = FixedBytes<532>

/// A class of what there is to know of a user (MS-SAMR 2.2.6.29, SAMPR_USER_INFO_BUFFER): the
/// class(2) as the union's tag, then its structure.
package enum SamrUserInformation: NDRMessage, Equatable, Sendable {
    /// Classes 1 to 14, 16, 17, 20 and 21: some or all fields.
    case fields(informationClass: UInt16, SamrUserFields)
    /// Class 18: hashes, encrypted with the session key (2.2.6.23).
    case hashes(
        nt: Bytes16, lm: Bytes16, ntPresent: Bool, lmPresent: Bool, passwordExpired: UInt8)
    /// Class 23: fields and a password.
    case fieldsWithPassword(SamrUserFields, SamrEncryptedPassword)
    /// Class 24: a password.
    case password(SamrEncryptedPassword, passwordExpired: UInt8)
    /// Class 25: fields and a password with salt.
    case fieldsWithSaltedPassword(SamrUserFields, SamrSaltedPassword)
    /// Class 26: a password with salt.
    case saltedPassword(SamrSaltedPassword, passwordExpired: UInt8)

    package var informationClass: UInt16 {
        switch self {
        case .fields(let informationClass, _): informationClass
        case .hashes: 18
        case .fieldsWithPassword: 23
        case .password: 24
        case .fieldsWithSaltedPassword: 25
        case .saltedPassword: 26
        }
    }

    /// Whether a class is one of those with fields only.
    package static func hasFields(_ informationClass: UInt16) -> Bool {
        SamrUserLayout.fields(informationClass) != nil
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = try stub.uint16("UserInformationClass")
        if let layout = SamrUserLayout.fields(tag) {
            var pending = SamrPendingUser(layout)
            try pending.parseHeads(&stub)
            self = .fields(informationClass: tag, try pending.parsePointees(&stub))
            return
        }
        switch tag {
        case 18:
            let nt: Bytes16 = try stub.fixed("EncryptedNtOwfPassword")
            let lm: Bytes16 = try stub.fixed("EncryptedLmOwfPassword")
            let ntPresent = try stub.uint8("NtPasswordPresent") != 0
            let lmPresent = try stub.uint8("LmPasswordPresent") != 0
            self = .hashes(
                nt: nt, lm: lm, ntPresent: ntPresent, lmPresent: lmPresent,
                passwordExpired: try stub.uint8("PasswordExpired"))
        case 23:
            var pending = SamrPendingUser(SamrUserLayout.all)
            try pending.parseHeads(&stub)
            let password: SamrEncryptedPassword = try stub.fixed("UserPassword")
            self = .fieldsWithPassword(try pending.parsePointees(&stub), password)
        case 24:
            let password: SamrEncryptedPassword = try stub.fixed("UserPassword")
            self = .password(password, passwordExpired: try stub.uint8("PasswordExpired"))
        case 25:
            var pending = SamrPendingUser(SamrUserLayout.all)
            try pending.parseHeads(&stub)
            let password: SamrSaltedPassword = try stub.fixed("UserPassword")
            self = .fieldsWithSaltedPassword(try pending.parsePointees(&stub), password)
        case 26:
            let password: SamrSaltedPassword = try stub.fixed("UserPassword")
            self = .saltedPassword(password, passwordExpired: try stub.uint8("PasswordExpired"))
        case _: throw stub.wire.invalid("UserInformationClass", Int(tag), width: 2)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass)
        switch self {
        case .fields(let informationClass, let fields):
            guard let layout = SamrUserLayout.fields(informationClass) else {
                preconditionFailure("a class of fields")
            }
            fields.writeHeads(layout, into: &stub)
            fields.writePointees(layout, into: &stub)
        case .hashes(let nt, let lm, let ntPresent, let lmPresent, let expired):
            stub.fixed(nt)
            stub.fixed(lm)
            stub.uint8(ntPresent ? 1 : 0)
            stub.uint8(lmPresent ? 1 : 0)
            stub.uint8(expired)
        case .fieldsWithPassword(let fields, let password):
            fields.writeHeads(SamrUserLayout.all, into: &stub)
            stub.fixed(password)
            fields.writePointees(SamrUserLayout.all, into: &stub)
        case .password(let password, let expired):
            stub.fixed(password)
            stub.uint8(expired)
        case .fieldsWithSaltedPassword(let fields, let password):
            fields.writeHeads(SamrUserLayout.all, into: &stub)
            stub.fixed(password)
            fields.writePointees(SamrUserLayout.all, into: &stub)
        case .saltedPassword(let password, let expired):
            stub.fixed(password)
            stub.uint8(expired)
        }
    }
}

/// A user's fields while what they point to is yet to come.
private struct SamrPendingUser {
    private let layout: [SamrUserLayout.Field]
    private var fields = SamrUserFields()
    private var texts: [CountedString] = []
    private var hasHours = false
    private var descriptorLength = 0
    private var hasDescriptor = false

    init(_ layout: [SamrUserLayout.Field]) { self.layout = layout }

    mutating func parseHeads(_ stub: inout NDRReader) throws(WireError) {
        try stub.align(4, "UserInformation")
        for field in layout {
            switch field {
            case .text, .reserved, .lmOwfPassword, .ntOwfPassword:
                texts.append(try stub.countedString("UserInformation"))
            case .long(let name): fields[name] = try stub.uint32("UserInformation")
            case .short(let name): fields[name] = try stub.uint16("UserInformation")
            case .time(let name): fields[name] = try stub.longPair("UserInformation")
            case .flag(let name): fields[name] = try stub.uint8("UserInformation")
            case .logonHours:
                let head = try SamrLogonHours.head(parsing: &stub)
                fields.logonHours.unitsPerWeek = head.unitsPerWeek
                hasHours = head.hasHours
            case .securityDescriptor:
                descriptorLength = Int(clamping: try stub.uint32("SecurityDescriptor"))
                hasDescriptor = try stub.pointer("SecurityDescriptor")
            }
        }
    }

    mutating func parsePointees(_ stub: inout NDRReader) throws(WireError) -> SamrUserFields {
        var next = 0
        for field in layout {
            switch field {
            case .text(let name):
                fields[name] = try stub.samText(of: texts[next], "UserInformation")
                next += 1
            case .reserved:
                _ = try stub.buffer(of: texts[next], "Reserved")
                next += 1
            case .lmOwfPassword:
                fields.lmOwfPassword = try hash(texts[next], &stub)
                next += 1
            case .ntOwfPassword:
                fields.ntOwfPassword = try hash(texts[next], &stub)
                next += 1
            case .logonHours where hasHours:
                fields.logonHours.hours = try SamrLogonHours.hours(
                    unitsPerWeek: fields.logonHours.unitsPerWeek, parsing: &stub)
            case .securityDescriptor where hasDescriptor:
                fields.securityDescriptor.bytes = try stub.octets(
                    announced: descriptorLength, limit: SAMR.maximumSecurityDescriptor,
                    "SecurityDescriptor")
            case .securityDescriptor:
                if descriptorLength != 0 {
                    throw stub.wire.invalid("SecurityDescriptor", descriptorLength)
                }
            case .long, .short, .time, .flag, .logonHours: continue
            }
        }
        return fields
    }

    private func hash(
        _ head: CountedString, _ stub: inout NDRReader
    ) throws(WireError) -> [UInt8]? {
        guard let range = try stub.buffer(of: head, "OwfPassword") else { return nil }
        return stub.wire.copy(range)
    }
}

extension SamrUserFields {
    fileprivate func writeHeads(_ layout: [SamrUserLayout.Field], into stub: inout NDRWriter) {
        stub.align(4)
        for field in layout {
            switch field {
            case .text(let name): stub.samText(head: self[name])
            case .reserved: stub.countedString(nil)
            case .lmOwfPassword: stub.countedBytes(lmOwfPassword)
            case .ntOwfPassword: stub.countedBytes(ntOwfPassword)
            case .long(let name): stub.uint32(self[name])
            case .short(let name): stub.uint16(self[name])
            case .time(let name): stub.longPair(self[name])
            case .flag(let name): stub.uint8(self[name])
            case .logonHours: logonHours.writeHead(into: &stub)
            case .securityDescriptor:
                stub.uint32(UInt32(securityDescriptor.bytes.count))
                stub.pointer(!securityDescriptor.bytes.isEmpty)
            }
        }
    }

    fileprivate func writePointees(_ layout: [SamrUserLayout.Field], into stub: inout NDRWriter) {
        for field in layout {
            switch field {
            case .text(let name): stub.samText(buffer: self[name])
            case .lmOwfPassword: Self.writeHash(lmOwfPassword, into: &stub)
            case .ntOwfPassword: Self.writeHash(ntOwfPassword, into: &stub)
            case .logonHours: logonHours.writeHours(into: &stub)
            case .securityDescriptor:
                if !securityDescriptor.bytes.isEmpty { stub.octets(securityDescriptor.bytes) }
            case .reserved, .long, .short, .time, .flag: continue
            }
        }
    }

    /// RPC_SHORT_BLOB counts in units of two bytes.
    private static func writeHash(_ hash: [UInt8]?, into stub: inout NDRWriter) {
        guard let hash else { return }
        stub.varyingConformance(hash.count / 2)
        stub.wire.append(hash)
    }
}
